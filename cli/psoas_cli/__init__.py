"""The command line of psoas: parse, call, print. No logic lives here."""
