"""Cohorts: a table of people in, a table with what follows for each of them out."""
