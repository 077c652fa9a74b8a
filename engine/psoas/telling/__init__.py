"""Consultations and explanations as a person reads them: first a `Document`, then text or Markdown; and as JSON."""
