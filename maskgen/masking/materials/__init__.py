"""What masks are made of: plain colours, prints, single marks and weaves, all drawn from a seed.

Everything is drawn flat, in neutral light and in centimetres; the garment is cut, folded and lit elsewhere.
"""
