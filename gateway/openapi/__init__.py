"""/openapi.json: the API in OpenAPI 3.1, made of the routes and what each declares (declare.py).

document.py puts it together, operations.py describes one route, schemas.py its shapes; routes.py serves it.
"""
