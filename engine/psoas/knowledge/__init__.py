"""The knowledge: its nouns, its rule language, how it is read from YAML and checked."""
