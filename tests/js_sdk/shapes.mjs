// The keys of Medusa's default answers.

export const PAGE = "count offset limit";
export const PAYMENT =
  "id currency_code amount captured_at payment_collection_id payment_session_id captures refunds";
export const SESSION = `id currency_code amount raw_amount provider_id data context status
  authorized_at payment_collection_id payment metadata created_at updated_at deleted_at`;
export const STORE_COLLECTION = "id currency_code amount payment_sessions";
export const COLLECTION = `id currency_code amount status authorized_amount captured_amount
  refunded_amount payment_sessions payments`;
export const REASON = "id label code description created_at updated_at deleted_at";
