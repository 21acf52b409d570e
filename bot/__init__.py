"""The front end: events come in, messages go out."""
