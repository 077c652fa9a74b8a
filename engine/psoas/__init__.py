"""psoas: an expert-system shell. The knowledge is data (kb/); what is done with it is a reading of that data."""

__version__ = "0.1.0"
