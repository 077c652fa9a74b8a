"""What follows for a million cases at once? The knowledge base as one layered SQL text."""
