"""What is on the wire: JSON text, the binary body, tensors in and out, the canonical form under `graph_id`.

text        bytes → members, values; what JSON lets pass and we do not
cutting     long lists of numbers, cut out of a body
numbers     a long list of numbers, from bytes to an array without Python floats
arrays      numbers and lists, checked one by one where something is odd
buffers     base64
declared    what is known of a tensor before its numbers are
binary      the safetensors format, with JSON in its metadata
compression  gzip and zstd, bounded
read        a wire tensor → engine.Tensor
write       engine.Tensor → a wire tensor
canonical   RFC 8785, quickly
"""
