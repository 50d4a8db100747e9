"""Code that several commands share: parameter types, option groups, ``--config``, summaries.

Option groups are decorators (`synth_options`, `train_options`). The function of the same name in each module
turns the command line's values into the frozen options record that the library takes.
"""
