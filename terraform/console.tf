# Functions for people in a browser (callers "iap"): Identity-Aware Proxy lets in the members that var.callers names, and
# is the only one that may call the function.
resource "google_iap_web_backend_service_iam_member" "people" {
  for_each = { for key, caller in local.people : key => caller if local.functions[caller.function].callers == "iap" }

  web_backend_service = google_compute_backend_service.function[each.value.function].name
  role                = "roles/iap.httpsResourceAccessor"
  member              = each.value.member
}

resource "google_cloud_run_service_iam_member" "iap" {
  for_each = local.iap_functions

  service  = google_cloudfunctions2_function.function[each.key].name
  location = var.region
  role     = "roles/run.invoker"
  member   = local.agents.iap
}
