"""What tools may do, and what people are asked: the policy (policies.py) and the inbox of approvals (approvals.py)."""
