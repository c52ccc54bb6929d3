"""Tools as everybody knows them: the @tool contract and the catalogue. What they do: execution_worker/tools."""
