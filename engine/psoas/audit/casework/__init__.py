"""The worked cases as a test of the rules: what they expect, what they notice, and which are missing."""
