"""``maskgen verify``: holds a result against its manifest and run record."""
