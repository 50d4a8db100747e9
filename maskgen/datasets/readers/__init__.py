"""What several dataset adapters share: walking folders, label files, Matlab files, tars."""
