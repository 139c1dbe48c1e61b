"""Instruments: pictures of what happens inside a BERT."""
