# For analysis outside the product: one row for every message of events that was settled (counts and the dataset, nothing
# of a person).
resource "google_bigquery_dataset" "meta_ads" {
  dataset_id                 = "meta_ads"
  friendly_name              = "Meta Ads"
  location                   = var.bigquery_location
  delete_contents_on_destroy = false

  depends_on = [google_project_service.api]
}

resource "google_logging_project_sink" "settled" {
  name                   = "settled-messages"
  destination            = "bigquery.googleapis.com/${google_bigquery_dataset.meta_ads.id}"
  filter                 = "resource.type=\"cloud_run_revision\" AND jsonPayload.function=\"capi-deliver\" AND jsonPayload.message=\"message settled\""
  unique_writer_identity = true

  bigquery_options {
    use_partitioned_tables = true
  }
}

resource "google_bigquery_dataset_iam_member" "settled" {
  dataset_id = google_bigquery_dataset.meta_ads.dataset_id
  role       = "roles/bigquery.dataEditor"
  member     = google_logging_project_sink.settled.writer_identity
}
