"""Fine-tuning on published data, beside the newest transformers: the figures of docs/results.md.

    python -m benchmarks.finetuning --data DIR --encoder DIR --out DIR

`published.py` turns the data sets into task files, `tasks.py` says which model learns what and how, `run.py` is one training
in a process of its own, `__main__.py` takes them all in turn, and `page.py` writes the table.
"""
