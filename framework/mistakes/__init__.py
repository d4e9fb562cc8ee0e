"""What start-up finds wrong with a program, and what it says about it."""
