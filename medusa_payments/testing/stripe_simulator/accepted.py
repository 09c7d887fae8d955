"""The parameters each operation accepts, by Stripe's OpenAPI description of 2026-08-26.dahlia."""

_PAGE = "ending_before expand limit starting_after"
_METHOD_TYPES = (
    "acss_debit affirm afterpay_clearpay alipay alma amazon_pay au_becs_debit bacs_debit "
    "bancontact billie bizum blik boleto card cashapp crypto custom customer_balance eps fpx "
    "giropay grabpay ideal interac_present kakao_pay klarna konbini kr_card link mb_way "
    "mobilepay multibanco naver_pay nz_bank_account oxxo p24 pay_by_bank payco paynow paypal "
    "payto pix promptpay revolut_pay samsung_pay satispay scalapay sepa_debit sofort sunbit "
    "swish twint upi us_bank_account wechat_pay zip"
)
_INTENT_UPDATE = (
    "allowed_payment_method_types amount amount_details application_fee_amount capture_method "
    "currency customer customer_account description excluded_payment_method_types expand "
    "hooks metadata payment_details payment_method payment_method_configuration "
    "payment_method_data payment_method_options payment_method_types receipt_email "
    "setup_future_usage shipping statement_descriptor statement_descriptor_suffix "
    "transfer_data transfer_group"
)
_CUSTOMER_CREATE = (
    "address balance business_name cash_balance description email expand individual_name "
    "invoice_prefix invoice_settings metadata name next_invoice_sequence payment_method phone "
    "preferred_locales shipping source tax tax_exempt tax_id_data test_clock"
)
_CUSTOMER_UPDATE = (
    "address balance bank_account business_name card cash_balance default_alipay_account "
    "default_bank_account default_card default_source description email expand "
    "individual_name invoice_prefix invoice_settings metadata name next_invoice_sequence "
    "phone preferred_locales shipping source tax tax_exempt"
)
_SETUP_CONFIRM = (
    "allowed_payment_method_types client_secret confirmation_token expand mandate_data "
    "payment_method payment_method_data payment_method_options return_url use_stripe_sdk"
)

_NAMES = {
    "payment_intents.create": f"{_INTENT_UPDATE} automatic_payment_methods confirm "
    "confirmation_method confirmation_token error_on_requires_action mandate mandate_data "
    "off_session on_behalf_of radar_options return_url use_stripe_sdk",
    "payment_intents.list": f"created customer customer_account {_PAGE}",
    "payment_intents.retrieve": "client_secret expand",
    "payment_intents.update": _INTENT_UPDATE,
    "payment_intents.confirm": "allowed_payment_method_types amount_details amount_to_confirm "
    "capture_method client_secret confirmation_token error_on_requires_action "
    "excluded_payment_method_types expand hooks mandate mandate_data off_session payment_details "
    "payment_method payment_method_data payment_method_options payment_method_types radar_options "
    "receipt_email return_url setup_future_usage shipping use_stripe_sdk",
    "payment_intents.capture": "amount_details amount_to_capture application_fee_amount expand "
    "final_capture hooks metadata payment_details statement_descriptor statement_descriptor_suffix "
    "transfer_data",
    "payment_intents.cancel": "cancellation_reason expand",
    "refunds.create": "amount charge currency customer expand instructions_email metadata origin "
    "payment_intent reason refund_application_fee reverse_transfer",
    "refunds.list": f"charge created payment_intent {_PAGE}",
    "refunds.retrieve": "expand",
    "refunds.update": "expand metadata",
    "refunds.cancel": "expand",
    "charges.list": f"created customer payment_intent transfer_group {_PAGE}",
    "charges.retrieve": "expand",
    "customers.create": _CUSTOMER_CREATE,
    "customers.list": f"created email test_clock {_PAGE}",
    "customers.retrieve": "expand",
    "customers.update": _CUSTOMER_UPDATE,
    "customers.delete": "",
    "customers.list_payment_methods": f"allow_redisplay type {_PAGE}",
    "payment_methods.create": f"{_METHOD_TYPES} allow_redisplay billing_details customer expand "
    "metadata payment_method radar_options type",
    "payment_methods.list": f"allow_redisplay customer customer_account type {_PAGE}",
    "payment_methods.retrieve": "expand",
    "payment_methods.attach": "customer customer_account expand",
    "payment_methods.detach": "expand",
    "setup_intents.create": f"{_SETUP_CONFIRM} attach_to_self automatic_payment_methods confirm "
    "customer customer_account description excluded_payment_method_types flow_directions "
    "metadata on_behalf_of payment_method_configuration payment_method_types single_use usage",
    "setup_intents.list": f"attach_to_self created customer customer_account {_PAGE} "
    "payment_method",
    "setup_intents.retrieve": "client_secret expand",
    "setup_intents.confirm": _SETUP_CONFIRM,
    "disputes.list": f"charge created payment_intent {_PAGE}",
    "disputes.retrieve": "expand",
    "events.list": f"created delivery_success type types {_PAGE}",
    "events.retrieve": "expand",
    "account.retrieve": "expand",
}

_NEVER_AT_CREATION = {"setup_intents.create": {"client_secret"}}

ACCEPTED: dict[str, frozenset[str]] = {
    operation: frozenset(names.split()) - _NEVER_AT_CREATION.get(operation, set())
    for operation, names in _NAMES.items()
}
"""Operation name to the names of its parameters."""
