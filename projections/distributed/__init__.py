"""An archive judged bucket by bucket, wherever the buckets are worked on."""
