"""How the components of an application are found, made and ended."""
