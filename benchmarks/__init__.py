"""Measurements from the checkout: a commit beside an earlier one, and the shipped model beside what others ship."""
