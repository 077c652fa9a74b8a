"""The checks of a knowledge base against itself: one module a concept, one function a check."""
