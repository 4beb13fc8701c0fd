# The numbers of reporting: daily rows by tenant, and tables of one job each on their way there.
locals {
  # BigQuery's own form of shared/gcp/warehouse/tables.ts; a test holds the two together.
  warehouse = jsondecode(file("${path.module}/warehouse.json"))

  warehouse_users   = { for name, function in local.functions : name => function if can(function.warehouse) }
  warehouse_writers = { for name, function in local.warehouse_users : name => function if function.warehouse == "write" }
}

resource "google_bigquery_dataset" "reporting" {
  # shared/gcp/warehouse/tables.ts has the same names.
  dataset_id                 = "kobi_reporting"
  friendly_name              = "Reporting"
  location                   = var.bigquery_location
  delete_contents_on_destroy = false

  depends_on = [google_project_service.api]
}

resource "google_bigquery_dataset" "staging" {
  dataset_id                  = "kobi_staging"
  friendly_name               = "Reporting, on its way"
  location                    = var.bigquery_location
  default_table_expiration_ms = 86400000
  delete_contents_on_destroy  = true

  depends_on = [google_project_service.api]
}

resource "google_bigquery_table" "reporting" {
  for_each = local.warehouse

  dataset_id          = google_bigquery_dataset.reporting.dataset_id
  table_id            = each.key
  schema              = jsonencode(each.value)
  clustering          = ["tenant_id", "report", "account_id"]
  deletion_protection = true

  # Every statement names the days it is about, and a merge touches 29 of them.
  time_partitioning {
    type  = "DAY"
    field = "date"
  }
}

resource "google_bigquery_dataset_iam_member" "reporting" {
  for_each = local.warehouse_users

  dataset_id = google_bigquery_dataset.reporting.dataset_id
  role       = each.value.warehouse == "write" ? "roles/bigquery.dataEditor" : "roles/bigquery.dataViewer"
  member     = google_service_account.function[each.key].member
}

resource "google_bigquery_dataset_iam_member" "staging" {
  for_each = local.warehouse_writers

  dataset_id = google_bigquery_dataset.staging.dataset_id
  role       = "roles/bigquery.dataEditor"
  member     = google_service_account.function[each.key].member
}

# Queries, merges and loads are jobs, and jobs belong to a project.
resource "google_project_iam_member" "warehouse_jobs" {
  for_each = local.warehouse_users

  project = var.project_id
  role    = "roles/bigquery.jobUser"
  member  = google_service_account.function[each.key].member
}
