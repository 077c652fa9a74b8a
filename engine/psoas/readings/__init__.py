"""The readings of the rules: each answers one question, each is an implementation of docs/semantics.md of its own."""
