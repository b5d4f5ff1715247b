"""Files to music and back: MIDI and ABC."""
