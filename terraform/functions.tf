locals {
  # The same address that the functions are given to reach each other; fixed by region and project.
  function_base_url = "https://${var.region}-${var.project_id}.cloudfunctions.net"

  # The variables of shared/runtime/config.ts that have no value of their own there, and those that differ by environment.
  environment = {
    GOOGLE_CLOUD_PROJECT    = var.project_id
    FUNCTION_REGION         = var.region
    FUNCTION_BASE_URL       = local.function_base_url
    TASKS_SERVICE_ACCOUNT   = google_service_account.tasks.email
    PUBLIC_BASE_URL         = "https://${var.domain}"
    CONNECT_BASE_URL        = "https://${var.domain}/connect-meta"
    META_APP_ID             = var.meta_app_id
    META_PARENT_BUSINESS_ID = var.meta_parent_business_id
    META_LOGIN_CONFIG_ID    = var.meta_login_config_id
    META_EXTENDED_CREDIT_ID = var.meta_extended_credit_id
    PROVISIONING_PATH       = var.provisioning_path
    BIGQUERY_LOCATION       = google_bigquery_dataset.reporting.location
    RELAY_PROXY             = "load-balancer"
    LOG_LEVEL               = var.log_level
  }
}

# What a function runs as: nobody else runs as it, and it may only what its manifest says.
resource "google_service_account" "function" {
  for_each = local.functions

  account_id   = each.key
  display_name = each.key
  description  = each.value.why
}

resource "google_cloudfunctions2_function" "function" {
  for_each = local.functions

  name        = each.key
  location    = var.region
  description = each.value.why

  build_config {
    runtime           = "nodejs24"
    entry_point       = each.key
    docker_repository = google_artifact_registry_repository.functions.id
    service_account   = google_service_account.builder.id

    source {
      storage_source {
        bucket = google_storage_bucket.bundles.name
        object = var.bundles[each.key]
      }
    }
  }

  service_config {
    available_memory                 = "${each.value.memoryMiB}Mi"
    available_cpu                    = each.value.concurrency > 1 ? "1" : "0.333"
    timeout_seconds                  = each.value.timeoutSeconds
    max_instance_request_concurrency = each.value.concurrency
    min_instance_count               = each.key == "capi-relay" ? var.relay_min_instances : try(each.value.minInstances, 0)
    # A job that runs every minute must not run beside itself.
    max_instance_count    = can(each.value.trigger.schedule) ? 1 : try(each.value.maxInstances, var.max_instances)
    service_account_email = google_service_account.function[each.key].email
    environment_variables = merge(
      { for name in each.value.variables : name => local.environment[name] if can(local.environment[name]) },
      # What the runtime reads for every function.
      { TRACE_SAMPLE_RATIO = tostring(var.trace_sample_ratio) },
      # Node's own: what the builder filled (test/bundles/compile-cache.ts), in the folder where an image has its function.
      { NODE_COMPILE_CACHE = "/workspace/.compile-cache" },
    )

    # What the world reaches comes through the load balancer, where the rate rule is. Everything else asks for an ID token.
    ingress_settings               = contains(["public", "iap"], each.value.callers) ? "ALLOW_INTERNAL_AND_GCLB" : "ALLOW_ALL"
    all_traffic_on_latest_revision = !contains(var.canary_functions, each.key)
  }

  depends_on = [google_project_service.api]
}
