# Spans go to Cloud Trace over the Telemetry API, where any are recorded (shared/runtime/tracing.ts). A project is the least
# that rights to write them are given on.
resource "google_project_iam_member" "traces" {
  for_each = { for name, function in local.functions : name => function if var.trace_sample_ratio > 0 }

  project = var.project_id
  role    = "roles/telemetry.tracesWriter"
  member  = google_service_account.function[each.key].member
}
