"""HTTP itself: the request, its body and its route, the response and its errors."""
