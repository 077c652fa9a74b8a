"""Does this hold for every possible case? The clauses as formulas of z3; the only package that knows z3."""
