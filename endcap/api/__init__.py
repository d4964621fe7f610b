"""The roof's first storey: each public function of `endcap`, and what commands share."""
