# Who read a secret, who changed what may be done by whom. Reads of Firestore are not logged: they are the relay's traffic.
resource "google_project_iam_audit_config" "service" {
  for_each = toset(["secretmanager.googleapis.com", "iam.googleapis.com", "cloudresourcemanager.googleapis.com"])

  project = var.project_id
  service = each.key

  audit_log_config {
    log_type = "DATA_READ"
  }
  audit_log_config {
    log_type = "DATA_WRITE"
  }
  audit_log_config {
    log_type = "ADMIN_READ"
  }
}

# Kept for 400 days in a bucket of its own; the ordinary one forgets after 30.
resource "google_logging_project_bucket_config" "audit" {
  project        = var.project_id
  location       = "eu"
  bucket_id      = "audit"
  retention_days = 400
}

resource "google_logging_project_sink" "audit" {
  name                   = "audit"
  destination            = "logging.googleapis.com/${google_logging_project_bucket_config.audit.id}"
  filter                 = "logName:\"cloudaudit.googleapis.com\""
  unique_writer_identity = true
}

resource "google_project_iam_member" "audit_sink" {
  project = var.project_id
  role    = "roles/logging.bucketWriter"
  member  = google_logging_project_sink.audit.writer_identity

  condition {
    title      = "bucket audit"
    expression = "resource.name.endsWith(\"/buckets/audit\")"
  }
}
