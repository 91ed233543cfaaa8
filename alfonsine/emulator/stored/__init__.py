"""Emulators as files, in which nothing can be executed."""
