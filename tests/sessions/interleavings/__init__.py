"""A model of the core: real sessions over a store in pure data, in every order of their steps."""
