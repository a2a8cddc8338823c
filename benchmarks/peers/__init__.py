"""The shipped model beside emotion models of other packages, on the same faces."""
