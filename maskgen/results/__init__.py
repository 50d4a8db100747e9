"""What a run leaves: manifest, run record, dataset card, contact sheet, and the layout of its files."""
