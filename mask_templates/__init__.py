"""The mask templates that come with maskgen, as package data."""
