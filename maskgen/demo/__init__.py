"""``maskgen demo``: a local web page that masks an image and classifies its faces.

::

    browser --HTTP--> guard.Guard --ASGI--> page (gradio) --> answer.answer --> masked image, predictions
"""
