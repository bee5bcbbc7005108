"""One HTTP exchange at a time, under one deadline. It knows neither the API nor GitHub nor the runner."""
