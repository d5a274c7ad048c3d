"""The language of Viceversa: its events, their envelope and their topics."""
