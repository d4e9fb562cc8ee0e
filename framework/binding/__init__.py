"""From the parameters of a handler to the arguments of its call: one file a source."""
