"""Initial weights of a backbone: ImageNet's, those of another run, or a file of Keras or PyTorch.

::

    --weights imagenet   imagenet: where they are       -> Keras, or lite0_package
    --weights X.keras    keras_file: a maskgen model    -> its backbone
    --weights X.h5       keras_file: weights of Keras, with or without its classes
    --weights X.pth      torch_file -> state_dict -> transfer
    --weights X.safetensors  safetensors_file -> state_dict -> transfer

No file runs code or allocates more than its own size.
"""
