"""Your own BERT, graded part by part: what `minibert check my-bert` runs. The ladder itself is ../../your_bert/README.md.

parts.py         the twelve parts, and which of them each stands on     judge.py      one part on one case: right, or what is wrong
reference.py     what the library computes for a part                   dropping.py   dropout that is noted, not drawn
cases.py         configs, weights and inputs to try a part on           grading.py    a part on all its cases, and who is to blame
probing.py       without which weights wrong numbers are right           tasks.py      what the process does
text_part.py  file_part.py  optimizer_part.py  training_part.py         the parts that are no network
top.py           the bundled weights, a blank, a small task             student.py    the folder with the student's files
process.py       runs a grading where it does no harm                   climbing.py   one part after another
command.py  certificate.py   what people read
"""
