"""The expert's workbench: what the knowledge says, what it has been tried on, and who has signed it."""
