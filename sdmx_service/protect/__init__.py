"""Reliability policies and disclosure control: an estimate in, a status out."""
