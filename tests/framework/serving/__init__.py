"""Tests of the development server and its parts."""
