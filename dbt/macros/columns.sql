{# Made from projections/export/ by scripts/reference; do not edit. #}

{# The columns of a dataset, with their types. #}
{% macro feed_columns(dataset) %}
    {{ return({
        "days": {"patient": "VARCHAR", "episode": "VARCHAR", "date": "DATE", "status": "VARCHAR", "reason": "VARCHAR", "code": "VARCHAR", "payer": "VARCHAR", "terms_from": "DATE", "terms_published": "DATE", "rate": "DECIMAL(18,2)", "authorization": "VARCHAR", "because": "VARCHAR[]", "member": "VARCHAR", "provider": "VARCHAR", "place_of_service": "VARCHAR", "modifiers": "VARCHAR[]"},
        "lines": {"patient": "VARCHAR", "episode": "VARCHAR", "payer": "VARCHAR", "code": "VARCHAR", "from": "DATE", "to": "DATE", "units": "BIGINT", "rate": "DECIMAL(18,2)", "charge": "DECIMAL(18,2)", "authorization": "VARCHAR", "terms_from": "DATE", "modifiers": "VARCHAR[]", "member": "VARCHAR", "provider": "VARCHAR", "place_of_service": "VARCHAR", "expected": "DECIMAL(18,2)"},
        "findings": {"rule": "VARCHAR", "level": "VARCHAR", "patient": "VARCHAR", "episodes": "VARCHAR[]", "dates": "DATE[]", "codes": "VARCHAR[]", "because": "VARCHAR[]", "message": "VARCHAR", "finding": "VARCHAR"},
        "changes": {"position": "BIGINT", "book": "VARCHAR", "kind": "VARCHAR", "patient": "VARCHAR", "episode": "VARCHAR", "date": "DATE", "old_status": "VARCHAR", "old_reason": "VARCHAR", "old_code": "VARCHAR", "old_payer": "VARCHAR", "old_terms_from": "DATE", "old_terms_published": "DATE", "old_rate": "DECIMAL(18,2)", "old_authorization": "VARCHAR", "old_because": "VARCHAR[]", "new_status": "VARCHAR", "new_reason": "VARCHAR", "new_code": "VARCHAR", "new_payer": "VARCHAR", "new_terms_from": "DATE", "new_terms_published": "DATE", "new_rate": "DECIMAL(18,2)", "new_authorization": "VARCHAR", "new_because": "VARCHAR[]", "cause": "VARCHAR[]", "cause_position": "BIGINT", "old_member": "VARCHAR", "old_provider": "VARCHAR", "old_place_of_service": "VARCHAR", "old_modifiers": "VARCHAR[]", "new_member": "VARCHAR", "new_provider": "VARCHAR", "new_place_of_service": "VARCHAR", "new_modifiers": "VARCHAR[]"},
        "line_changes": {"position": "BIGINT", "book": "VARCHAR", "kind": "VARCHAR", "patient": "VARCHAR", "episode": "VARCHAR", "from": "DATE", "old_payer": "VARCHAR", "old_code": "VARCHAR", "old_to": "DATE", "old_units": "BIGINT", "old_rate": "DECIMAL(18,2)", "old_charge": "DECIMAL(18,2)", "old_authorization": "VARCHAR", "old_terms_from": "DATE", "old_modifiers": "VARCHAR[]", "old_member": "VARCHAR", "old_provider": "VARCHAR", "old_place_of_service": "VARCHAR", "old_expected": "DECIMAL(18,2)", "new_payer": "VARCHAR", "new_code": "VARCHAR", "new_to": "DATE", "new_units": "BIGINT", "new_rate": "DECIMAL(18,2)", "new_charge": "DECIMAL(18,2)", "new_authorization": "VARCHAR", "new_terms_from": "DATE", "new_modifiers": "VARCHAR[]", "new_member": "VARCHAR", "new_provider": "VARCHAR", "new_place_of_service": "VARCHAR", "new_expected": "DECIMAL(18,2)"},
        "finding_changes": {"position": "BIGINT", "book": "VARCHAR", "kind": "VARCHAR", "rule": "VARCHAR", "patient": "VARCHAR", "episodes": "VARCHAR[]", "dates": "DATE[]", "codes": "VARCHAR[]", "because": "VARCHAR[]", "finding": "VARCHAR", "old_level": "VARCHAR", "old_message": "VARCHAR", "new_level": "VARCHAR", "new_message": "VARCHAR"},
        "claimed_changes": {"position": "BIGINT", "book": "VARCHAR", "kind": "VARCHAR", "patient": "VARCHAR", "episode": "VARCHAR", "date": "DATE", "nth": "BIGINT", "old_kind": "VARCHAR", "old_claim": "VARCHAR", "old_payer": "VARCHAR", "old_claimed_code": "VARCHAR", "old_claimed_charge": "DECIMAL(18,2)", "old_known_when_claimed": "VARCHAR", "old_known_now": "VARCHAR", "old_now_payer": "VARCHAR", "old_now_code": "VARCHAR", "old_now_rate": "DECIMAL(18,2)", "old_exposure": "DECIMAL(18,2)", "old_revealed_by": "VARCHAR[]", "old_revealed_at": "TIMESTAMP WITH TIME ZONE", "old_repay_by": "DATE", "old_file_by": "DATE", "old_paid": "DECIMAL(18,2)", "new_kind": "VARCHAR", "new_claim": "VARCHAR", "new_payer": "VARCHAR", "new_claimed_code": "VARCHAR", "new_claimed_charge": "DECIMAL(18,2)", "new_known_when_claimed": "VARCHAR", "new_known_now": "VARCHAR", "new_now_payer": "VARCHAR", "new_now_code": "VARCHAR", "new_now_rate": "DECIMAL(18,2)", "new_exposure": "DECIMAL(18,2)", "new_revealed_by": "VARCHAR[]", "new_revealed_at": "TIMESTAMP WITH TIME ZONE", "new_repay_by": "DATE", "new_file_by": "DATE", "new_paid": "DECIMAL(18,2)"},
        "payment_changes": {"position": "BIGINT", "book": "VARCHAR", "kind": "VARCHAR", "patient": "VARCHAR", "episode": "VARCHAR", "claim": "VARCHAR", "date": "DATE", "code": "VARCHAR", "old_payer": "VARCHAR", "old_expected": "DECIMAL(18,2)", "old_paid": "DECIMAL(18,2)", "old_patient_owes": "DECIMAL(18,2)", "old_status": "VARCHAR", "old_allowed": "DECIMAL(18,2)", "old_charge": "DECIMAL(18,2)", "old_to_give_back": "DECIMAL(18,2)", "old_live": "BOOLEAN", "old_answered": "BOOLEAN", "old_missing": "DECIMAL(18,2)", "old_reasons": "VARCHAR[]", "old_waiting_since": "DATE", "new_payer": "VARCHAR", "new_expected": "DECIMAL(18,2)", "new_paid": "DECIMAL(18,2)", "new_patient_owes": "DECIMAL(18,2)", "new_status": "VARCHAR", "new_allowed": "DECIMAL(18,2)", "new_charge": "DECIMAL(18,2)", "new_to_give_back": "DECIMAL(18,2)", "new_live": "BOOLEAN", "new_answered": "BOOLEAN", "new_missing": "DECIMAL(18,2)", "new_reasons": "VARCHAR[]", "new_waiting_since": "DATE"},
        "claimed": {"patient": "VARCHAR", "episode": "VARCHAR", "date": "DATE", "kind": "VARCHAR", "claim": "VARCHAR", "payer": "VARCHAR", "claimed_code": "VARCHAR", "claimed_charge": "DECIMAL(18,2)", "known_when_claimed": "VARCHAR", "known_now": "VARCHAR", "now_payer": "VARCHAR", "now_code": "VARCHAR", "now_rate": "DECIMAL(18,2)", "exposure": "DECIMAL(18,2)", "revealed_by": "VARCHAR[]", "revealed_at": "TIMESTAMP WITH TIME ZONE", "repay_by": "DATE", "file_by": "DATE", "paid": "DECIMAL(18,2)", "nth": "BIGINT"},
        "episodes": {"episode": "VARCHAR", "patient": "VARCHAR", "provider": "VARCHAR", "branch": "VARCHAR", "zone": "VARCHAR", "opened": "TIMESTAMP WITH TIME ZONE", "discharged": "DATE", "voided": "BOOLEAN", "payers": "VARCHAR[]"},
        "authorizations": {"patient": "VARCHAR", "episode": "VARCHAR", "number": "VARCHAR", "payer": "VARCHAR", "codes": "VARCHAR[]", "from": "DATE", "to": "DATE", "units": "BIGINT", "drawn": "BIGINT", "billable_days": "BIGINT", "last_drawn": "DATE", "last_day": "DATE", "ended": "BOOLEAN", "ordered_to": "DATE"},
        "claims": {"patient": "VARCHAR", "episode": "VARCHAR", "claim": "VARCHAR", "control": "VARCHAR", "payer": "VARCHAR", "frequency": "VARCHAR", "replaces": "VARCHAR", "state": "VARCHAR", "payer_control": "VARCHAR", "charge": "DECIMAL(18,2)", "paid": "DECIMAL(18,2)", "file": "VARCHAR", "from": "DATE", "to": "DATE", "sent_on": "DATE", "answered_on": "DATE"},
        "payments": {"patient": "VARCHAR", "episode": "VARCHAR", "claim": "VARCHAR", "date": "DATE", "code": "VARCHAR", "payer": "VARCHAR", "expected": "DECIMAL(18,2)", "paid": "DECIMAL(18,2)", "patient_owes": "DECIMAL(18,2)", "status": "VARCHAR", "allowed": "DECIMAL(18,2)", "charge": "DECIMAL(18,2)", "to_give_back": "DECIMAL(18,2)", "live": "BOOLEAN", "answered": "BOOLEAN", "missing": "DECIMAL(18,2)", "reasons": "VARCHAR[]", "waiting_since": "DATE"},
        "remittances": {"patient": "VARCHAR", "episode": "VARCHAR", "answer": "VARCHAR", "claim": "VARCHAR", "payer": "VARCHAR", "payment": "VARCHAR", "paid_on": "DATE", "status": "VARCHAR", "payer_control": "VARCHAR", "charge": "DECIMAL(18,2)", "paid": "DECIMAL(18,2)", "patient_owes": "DECIMAL(18,2)", "remarks": "VARCHAR[]", "stands": "BOOLEAN", "balanced": "BOOLEAN"},
        "remittance_lines": {"patient": "VARCHAR", "episode": "VARCHAR", "answer": "VARCHAR", "number": "BIGINT", "paid_on": "DATE", "code": "VARCHAR", "billed_code": "VARCHAR", "modifiers": "VARCHAR[]", "from": "DATE", "to": "DATE", "units": "DECIMAL(38,8)", "billed_units": "DECIMAL(38,8)", "charge": "DECIMAL(18,2)", "paid": "DECIMAL(18,2)", "allowed": "DECIMAL(18,2)", "line": "VARCHAR", "remarks": "VARCHAR[]"},
        "remittance_adjustments": {"patient": "VARCHAR", "episode": "VARCHAR", "answer": "VARCHAR", "number": "BIGINT", "paid_on": "DATE", "line_number": "BIGINT", "group": "VARCHAR", "reason": "VARCHAR", "amount": "DECIMAL(18,2)", "units": "DECIMAL(38,8)"},
        "providers": {"provider": "VARCHAR", "name": "VARCHAR", "branch": "VARCHAR"},
        "rates": {"payer": "VARCHAR", "terms_from": "DATE", "terms_published": "DATE", "code": "VARCHAR", "rate": "DECIMAL(18,2)", "provider": "VARCHAR", "from": "DATE", "to": "DATE"},
    }[dataset]) }}
{% endmacro %}

{# The columns that name one row of a dataset. #}
{% macro feed_key(dataset) %}
    {{ return({
        "days": ["patient", "episode", "date"],
        "lines": ["patient", "episode", "from"],
        "findings": ["finding"],
        "changes": ["patient", "episode", "date"],
        "line_changes": ["patient", "episode", "from"],
        "finding_changes": ["finding"],
        "claimed_changes": ["patient", "episode", "date", "nth"],
        "payment_changes": ["patient", "episode", "claim", "date", "code"],
        "claimed": ["patient", "episode", "date", "nth"],
        "episodes": ["patient", "episode"],
        "authorizations": ["patient", "episode", "number", "from"],
        "claims": ["patient", "episode", "claim"],
        "payments": ["patient", "episode", "claim", "date", "code"],
        "remittances": ["patient", "episode", "answer"],
        "remittance_lines": ["patient", "episode", "answer", "number"],
        "remittance_adjustments": ["patient", "episode", "answer", "number"],
        "providers": ["provider"],
        "rates": [],
    }[dataset]) }}
{% endmacro %}

{# The dataset of its changes. #}
{% macro changes_of(dataset) %}
    {{ return({
        "days": "changes",
        "lines": "line_changes",
        "findings": "finding_changes",
        "claimed": "claimed_changes",
        "payments": "payment_changes",
    }[dataset]) }}
{% endmacro %}
