"""How the components of an application are found, checked, built and ended."""
