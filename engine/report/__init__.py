"""What came of a round, for people and for tools; and the history of all rounds."""
