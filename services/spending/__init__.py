"""What runs may spend and what they have spent: budgets, the calls of models, prices."""
